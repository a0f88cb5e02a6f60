/** A timer that can be started and stopped any number of times and does not keep the process alive. */
export class SteppedTimer {
  private readonly everyMs: number;
  private readonly run: () => void;
  private handle: NodeJS.Timeout | null = null;

  constructor(everyMs: number, run: () => void) {
    this.everyMs = everyMs;
    this.run = run;
  }

  start(): void {
    if (this.handle !== null) return;
    this.handle = setInterval(this.run, this.everyMs);
    this.handle.unref();
  }

  stop(): void {
    if (this.handle !== null) clearInterval(this.handle);
    this.handle = null;
  }
}
