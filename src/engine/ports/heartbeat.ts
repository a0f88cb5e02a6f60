/**
 * The venue's dead-man switch: while beats come, resting orders stay; when they stop, the venue cancels everything that
 * was placed with the same key. Beats come from another thread and only while the main loop proves that it moves.
 */
export type HeartbeatPort = {
  /** The main loop moved; called on every tick. */
  progress(): void;
  /** Beats while true. Not beating lets a switch that was armed run out. */
  setArmed(armed: boolean): void;
  /** Called with why the venue does not hear us, and with null when it does again. */
  listen(listener: (detail: string | null) => void): void;
  close(): Promise<void>;
};
