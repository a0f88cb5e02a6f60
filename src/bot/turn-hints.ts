import type { PressOfCard } from "./card-registry.ts";

const maxHints = 500;

/** What was seen of a press when it came in, until its command is worked on. Lost at a restart, which only costs a toast. */
export class TurnHints {
  private readonly hints = new Map<string, PressOfCard>();

  set(commandId: string, hint: PressOfCard): void {
    // The first sight of an update counts: the same update again must not turn a fresh press into a used one.
    if (this.hints.has(commandId)) return;
    this.hints.set(commandId, hint);
    for (const oldest of this.hints.keys()) {
      if (this.hints.size <= maxHints) break;
      this.hints.delete(oldest);
    }
  }

  get(commandId: string): PressOfCard {
    return this.hints.get(commandId) ?? "unknown";
  }

  delete(commandId: string): void {
    this.hints.delete(commandId);
  }
}
