/** The desk cannot start or go on; the message is for people, the code is the process's exit code. */
export class DeskError extends Error {
  override readonly name = "DeskError";
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2) {
    super(message);
    this.exitCode = exitCode;
  }
}
