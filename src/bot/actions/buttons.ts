import type { OutButton } from "../../engine/api/outbox.ts";
import { type BotAction, encodeAction, verbs } from "./bot-action.ts";

export type ButtonStyle = OutButton["style"];
export type Keyboard = readonly (readonly OutButton[])[];

/** 128 bits: a button cannot be guessed. */
const nonceBytes = 16;

/** Makes buttons; each gets its own nonce unless it is a card's, whose nonce comes from the engine. */
export class ButtonMaker {
  private readonly randomHex: (bytes: number) => string;

  constructor(randomHex: (bytes: number) => string) {
    this.randomHex = randomHex;
  }

  make(label: string, action: BotAction, style: ButtonStyle = "plain"): OutButton {
    return this.withNonce(label, action, style, this.randomHex(nonceBytes));
  }

  withNonce(label: string, action: BotAction, style: ButtonStyle, nonce: string): OutButton {
    return { label, style, verb: verbs[action.do], nonce, action: encodeAction(action) };
  }
}
