import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { CounterName, Meter } from "../../engine/ports/system.ts";

/** The figures of a moment, taken when the page is read. Names are without the prefix. */
export type MetricFigures = {
  /** Counted since the start of the run. */
  readonly counters: readonly Figure[];
  readonly gauges: readonly Figure[];
};

export type Figure = {
  readonly name: string;
  readonly help: string;
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
};

export type Metrics = {
  readonly meter: Meter;
  /** The page in Prometheus' text format. */
  readonly page: (figures: MetricFigures) => Promise<string>;
  readonly contentType: string;
};

const prefix = "pitboss_";
/** Upper bounds in milliseconds: from a tenth of one to the longest wait for an order's answer. */
const bucketsMs = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 15_000];

/** What is measured all the time, and the page that shows it beside the figures of the moment. */
export function createMetrics(): Metrics {
  const kept = new Registry();
  collectDefaultMetrics({ register: kept, prefix });
  const histogram = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Histogram({
      name: prefix + name,
      help,
      labelNames,
      buckets: bucketsMs,
      registers: [kept],
    });
  const named = {
    place: histogram("engine_place_ms", "From the decision to the venue's answer."),
    place_call: histogram("engine_place_call_ms", "From the first byte of an order to the answer."),
    decided: histogram("engine_execute_plan_ms", "From a command to its durable plan."),
  } as const;
  const stages = histogram("stage_ms", "Stages of an order, after its command.", ["stage"]);
  const counter = (name: CounterName, help: string) =>
    new Counter({ name: prefix + name, help, registers: [kept] });
  const counters = {
    dutch_orders_placed: counter("dutch_orders_placed", "Orders of complete sets."),
    dutch_rulehash_changed: counter("dutch_rulehash_changed", "Edits of the rules of markets."),
  } as const;
  const meter: Meter = {
    observe(stage, ms) {
      if (stage === "place" || stage === "place_call" || stage === "decided") {
        named[stage].observe(ms);
      }
      if (stage !== "place" && stage !== "place_call") stages.observe({ stage }, ms);
    },
    count: (name, by) => counters[name].inc(by),
  };
  return {
    meter,
    contentType: kept.contentType,
    page: async (figures) => `${await kept.metrics()}\n${await pageOf(figures)}`,
  };
}

/** Figures that others keep are written into a registry of their own, made anew for each page. */
async function pageOf({ counters, gauges }: MetricFigures): Promise<string> {
  const register = new Registry();
  for (const [kind, figures] of [
    ["counter", counters],
    ["gauge", gauges],
  ] as const) {
    for (const figure of figures) add(register, kind, figure);
  }
  return register.metrics();
}

function add(register: Registry, kind: "counter" | "gauge", figure: Figure): void {
  const { help, value, labels = {} } = figure;
  const name = prefix + figure.name;
  const known = register.getSingleMetric(name);
  const options = { name, help, labelNames: Object.keys(labels), registers: [register] };
  if (kind === "counter") {
    const counter = known instanceof Counter ? known : new Counter(options);
    counter.inc(labels, value);
  } else {
    const gauge = known instanceof Gauge ? known : new Gauge(options);
    gauge.set(labels, value);
  }
}
