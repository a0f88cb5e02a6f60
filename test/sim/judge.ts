/**
 * Which property of the design does not hold. "told": what a trader is told is durable already; "engine": an invariant of
 * the engine's own.
 */
export const properties = [
  ...(["P1", "P2", "P3", "P4", "P5", "P6", "P7", "P9", "P10", "P11", "P12", "P13", "P14"] as const),
  ...(["conservation", "told", "engine"] as const),
] as const;

export type Property = (typeof properties)[number];

export type Violation = { readonly property: Property; readonly detail: string };

/** Keeps the first thing that does not hold. */
export class Judge {
  violation: Violation | null = null;
  readonly #ignored: ReadonlySet<Property>;

  constructor(ignored: ReadonlySet<Property>) {
    this.#ignored = ignored;
  }

  violate(property: Property, detail: string): void {
    if (this.#ignored.has(property)) return;
    this.violation ??= { property, detail };
  }

  must(holds: boolean, property: Property, detail: () => string): void {
    if (!holds) this.violate(property, detail());
  }
}
