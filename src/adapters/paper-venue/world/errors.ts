/** Input that a world cannot be built from: a missing folder, a malformed file, a tape without books. */
export class WorldError extends Error {
  override readonly name = "WorldError";
}
