import { Buffer } from "node:buffer";
import type { Reply, Turn } from "../turn.ts";
import { home } from "./looking.ts";
import { marketCard } from "./markets.ts";

/** Condition id of a deep link `m_<base64url of its 32 bytes>`; null for any other parameter. */
export function marketOfStartParameter(parameter: string): string | null {
  const match = /^m_([\w-]{43})$/u.exec(parameter);
  if (match === null) return null;
  const bytes = Buffer.from(match[1] ?? "", "base64url");
  return bytes.length === 32 ? `0x${bytes.toString("hex")}` : null;
}

/** `/start`: home, or the market of a deep link. */
export async function start(turn: Turn, args: string): Promise<Reply> {
  const id = marketOfStartParameter(args.trim());
  return id === null ? home(turn) : marketCard(turn, id);
}
