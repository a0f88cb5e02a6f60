// The engine, its ledger and the paper venue in one process, with a breakable network between engine and venue.
import { exposureOf } from "../../src/engine/state/exposure.ts";
import { type LiveDesk, openLiveDesk } from "../engine/support/live-desk.ts";
import type { SettingsOver } from "../engine/support/settings.ts";
import { FaultProxy, type ProxyRequest } from "./proxy.ts";

export class ProxiedDesk implements AsyncDisposable {
  desk: LiveDesk;
  /** Orders, cancels and reads go through this one. */
  readonly rest: FaultProxy;
  /** Both streams go through this one. */
  readonly sockets: FaultProxy;

  private constructor(desk: LiveDesk, rest: FaultProxy, sockets: FaultProxy) {
    this.desk = desk;
    this.rest = rest;
    this.sockets = sockets;
  }

  static async open(over: SettingsOver = {}): Promise<ProxiedDesk> {
    const proxies: FaultProxy[] = [];
    const desk = await openLiveDesk(over, async (port) => {
      const [rest, sockets] = [await FaultProxy.open(port), await FaultProxy.open(port)];
      proxies.push(rest, sockets);
      return { base: rest.url, ws: `ws://127.0.0.1:${sockets.port}/ws` };
    });
    const [rest, sockets] = proxies as [FaultProxy, FaultProxy];
    return new ProxiedDesk(desk, rest, sockets);
  }

  /** Order requests that left the engine's process, whatever became of them. */
  get posts(): readonly ProxyRequest[] {
    return this.rest.requests.filter(({ method, path }) => method === "POST" && path === "/order");
  }

  /** Micro-dollars reserved for orders. */
  get locked(): number {
    return exposureOf(this.desk.engine.state).locked;
  }

  /** Hashes of the orders that rest at the venue, read from its own store. */
  get resting(): readonly string[] {
    return this.desk.venue.state.store.openOrders().map((order) => order.id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.desk.close();
    await this.rest[Symbol.asyncDispose]();
    await this.sockets[Symbol.asyncDispose]();
  }
}
