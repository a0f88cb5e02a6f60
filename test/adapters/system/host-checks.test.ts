import { EventEmitter } from "node:events";
import { describe, expect, test } from "vitest";
import {
  coreDumpFault,
  type HostFacts,
  hostFacts,
  hostFaults,
} from "../../../src/adapters/system/host-checks.ts";
import { askSecret, type Terminal } from "../../../src/adapters/system/secret-prompt.ts";

const sound: HostFacts = {
  uid: 1000,
  allowRoot: false,
  execArgv: ["--max-semi-space-size=4"],
  nodeOptions: "",
  debug: "",
  inspectorOpen: false,
  coreLimit: "0",
};

describe("the host of a key that guards real money", () => {
  test("a sound one has no faults", () => {
    expect(hostFaults(sound)).toEqual([]);
    expect(coreDumpFault(sound)).toBeNull();
  });

  test.each([
    [{ uid: 0 }, "this runs as root"],
    [{ inspectorOpen: true }, "a debugger can attach"],
    [{ execArgv: ["--inspect-brk=0"] }, "a debugger can attach"],
    [{ nodeOptions: "--require ./x.cjs" }, "unset NODE_OPTIONS"],
    [{ debug: "grammy*" }, "unset DEBUG"],
  ] as const)("%o is refused with the repair", (change, why) => {
    const faults = hostFaults({ ...sound, ...change });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(why);
  });

  test("root is allowed where the config says so, and a core dump is named", () => {
    expect(hostFaults({ ...sound, uid: 0, allowRoot: true })).toEqual([]);
    expect(coreDumpFault({ ...sound, coreLimit: "unlimited" })).toContain("ulimit -c 0");
  });

  test("the facts are those of this process", () => {
    expect(hostFacts(true)).toMatchObject({
      uid: process.getuid?.() ?? null,
      inspectorOpen: false,
      allowRoot: true,
    });
  });
});

describe("a secret that is typed", () => {
  class Keyboard extends EventEmitter {
    readonly isTTY = true;
    raw: boolean[] = [];
    setRawMode(on: boolean): this {
      this.raw.push(on);
      return this;
    }
    resume(): this {
      return this;
    }
    pause(): this {
      return this;
    }
  }

  function typing(keys: string): {
    answer: Promise<string | null>;
    shown: string[];
    raw: boolean[];
  } {
    const keyboard = new Keyboard();
    const shown: string[] = [];
    const output = { write: (text: string) => shown.push(text) > 0 };
    const answer = askSecret("password: ", { input: keyboard, output } as unknown as Terminal);
    keyboard.emit("data", Buffer.from(keys));
    return { answer, shown, raw: keyboard.raw };
  }

  test("is taken up to Enter, with corrections, and never shown", async () => {
    const { answer, shown, raw } = typing("canarx\u007fy\rrest");
    expect(await answer).toBe("canary");
    expect(shown.join("")).toBe("password: \n");
    expect(raw).toEqual([true, false]);
  });

  test("Ctrl-C gives up, and without a terminal nothing is asked", async () => {
    expect(await typing("can\u0003").answer).toBeNull();
    const silent = { input: { isTTY: false }, output: { write: () => true } };
    expect(await askSecret("?", silent as unknown as Terminal)).toBeNull();
  });
});
