/** Globs as Python's `fnmatch.fnmatchcase` reads them: without it, a pattern would mean other layers in the browser. */

/** One place in a pattern: a character, `star` for any number of them (no character is that long), null for any one. */
type Token = string | null | CharacterSet;

interface CharacterSet {
  negated: boolean;
  /** From and to, both included. */
  ranges: [string, string][];
}

const MOST_PATTERNS = 512;
const parsed = new Map<string, Token[]>();

/** The first of some patterns that a name matches: `*`, `?`, `[abc]`, `[a-c]` and `[!abc]`; capitals count. */
export function firstMatch(name: string, patterns: readonly string[]): string | undefined {
  const characters = Array.from(name);
  return patterns.find(pattern => matches(characters, tokensOf(pattern)));
}

/** One star at a time is tried again, so that no pattern takes longer than its length times the name's. */
function matches(name: string[], tokens: Token[]): boolean {
  let at = 0;
  let token = 0;
  let afterStar = -1;
  let triedFrom = 0;
  while (at < name.length) {
    if (token < tokens.length && tokens[token] === 'star') {
      afterStar = ++token;
      triedFrom = at;
    } else if (token < tokens.length && matchesOne(name[at], tokens[token])) {
      at++;
      token++;
    } else if (afterStar >= 0) {
      token = afterStar;
      at = ++triedFrom;
    } else {
      return false;
    }
  }
  while (token < tokens.length && tokens[token] === 'star') {
    token++;
  }
  return token === tokens.length;
}

function matchesOne(character: string, token: Token): boolean {
  if (token === null || typeof token === 'string') {
    return token === null || token === character;
  }
  const point = codePoint(character);
  const found = token.ranges.some(
    ([from, to]) => codePoint(from) <= point && point <= codePoint(to)
  );
  return found !== token.negated;
}

function tokensOf(pattern: string): Token[] {
  let tokens = parsed.get(pattern);
  if (tokens === undefined) {
    tokens = parse(Array.from(pattern));
    if (parsed.size >= MOST_PATTERNS) {
      parsed.clear();
    }
    parsed.set(pattern, tokens);
  }
  return tokens;
}

function parse(pattern: string[]): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at];
    const end = character === '[' ? endOfSet(pattern, at + 1) : -1;
    if (end >= 0) {
      tokens.push(characterSet(pattern.slice(at + 1, end)));
      at = end;
    } else if (character === '*') {
      tokens.push('star');
    } else {
      tokens.push(character === '?' ? null : character);
    }
  }
  return tokens;
}

/** Where the bracket that begins before `start` closes; -1 if it doesn't, and is a character like any other. */
function endOfSet(pattern: string[], start: number): number {
  let first = start;
  if (pattern[first] === '!') {
    first++;
  }
  if (pattern[first] === ']') {
    first++;
  }
  return pattern.indexOf(']', first);
}

function characterSet(inside: string[]): CharacterSet {
  const negated = inside[0] === '!';
  const characters = negated ? inside.slice(1) : inside;
  const ranges: [string, string][] = [];
  let at = 0;
  while (at < characters.length) {
    const isRange = at + 2 < characters.length && characters[at + 1] === '-';
    const to = isRange ? characters[at + 2] : characters[at];
    // A range that runs backwards holds nothing.
    if (codePoint(characters[at]) <= codePoint(to)) {
      ranges.push([characters[at], to]);
    }
    at += isRange ? 3 : 1;
  }
  return { negated, ranges };
}

function codePoint(character: string): number {
  return character.codePointAt(0) ?? 0;
}
