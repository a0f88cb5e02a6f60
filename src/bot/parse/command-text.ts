/** A chat command: "/buy@bot #1 yes" -> name "buy", args "#1 yes". */
export type CommandText = { readonly name: string; readonly args: string };

/** Null when the text is no command. */
export function parseCommand(text: string): CommandText | null {
  const match = /^\s*\/([a-z_]{1,32})(?:@\w{1,64})?(?:\s+([\s\S]*))?$/iu.exec(text);
  if (match === null) return null;
  return { name: (match[1] ?? "").toLowerCase(), args: (match[2] ?? "").trim() };
}

export type Token = { readonly text: string; readonly quoted: boolean };

/** Splits at white space; "double", “curly” and 'single' quotes keep words together. An unclosed quote runs to the end. */
export function tokenize(args: string): readonly Token[] {
  const tokens: Token[] = [];
  const pattern = /"([^"]*)"?|“([^”]*)”?|(?<=^|\s)'([^']*)'(?=\s|$)|([^\s"“]+)/gu;
  for (const match of args.matchAll(pattern)) {
    const quoted = match[1] ?? match[2] ?? match[3];
    if (quoted !== undefined) tokens.push({ text: quoted.trim(), quoted: true });
    else tokens.push({ text: match[4] ?? "", quoted: false });
  }
  return tokens.filter((token) => token.text !== "");
}

/** "kill", "STOP trading", "kill now please!": nothing but these words, so that a market's name never kills. */
const bareKill =
  /^\s*(?:kill|stop)(?:[\s,]+(?:all|everything|it|kill|now|orders|please|switch|that|the|them|this|trading))*\s*[.!]*\s*$/iu;

/**
 * Kill as text: "/kill", "/KILL@bot reason", "/stop", or the word "kill" or "stop" with nothing but a few fillers. Read generously on purpose: a kill too many costs a
 * resume, a kill too few costs money. Returns the reason given, or null when it is no kill.
 */
export function killReason(text: string): string | null {
  const command = /^\s*\/(?:kill|stop)(?:@\w+)?(?![\w])([\s\S]*)$/iu.exec(text);
  if (command !== null) return (command[1] ?? "").trim().slice(0, 200);
  return bareKill.test(text) ? "" : null;
}
