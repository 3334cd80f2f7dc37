/** As much of PromQL as it takes to know which metrics and labels an expression is about. */

export interface Selector {
  metric: string;
  /** The labels of its matchers. */
  labels: string[];
}

export interface Reading {
  selectors: Selector[];
  /** Labels by which is grouped or joined. */
  grouping: string[];
}

const TOKEN = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[a-zA-Z_:$][\w:$]*|\d[\w.]*|[=!<>]=|[=!]~|[^\s\w]/g;
const KEYWORDS = new Set(['and', 'or', 'unless', 'bool', 'offset', 'atan2', 'inf', 'nan', 'start', 'end']);
const GROUPING = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);

/** Reads an expression. Throws when its brackets do not match. */
export function readPromql(expression: string): Reading {
  // What stands in [] is a time, and a variable of Grafana at most.
  const tokens = expression.replaceAll(/\[[^\]]*\]/g, ' ').match(TOKEN) ?? [];
  holdBrackets(expression, tokens);
  const reading: Reading = { selectors: [], grouping: [] };
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at]!;
    if (!/^[a-zA-Z_:]/.test(token) || KEYWORDS.has(token.toLowerCase())) continue;
    const inside = tokens[at + 1] === '(' || tokens[at + 1] === '{' ? between(tokens, at + 1) : [];
    if (GROUPING.has(token)) {
      reading.grouping.push(...inside.filter((one) => one !== ','));
      at += inside.length > 0 || tokens[at + 1] === '(' ? inside.length + 2 : 0;
    } else if (tokens[at + 1] === '{') {
      const labels = inside.filter((_, index) => index === 0 || inside[index - 1] === ',');
      reading.selectors.push({ metric: token, labels });
      at += inside.length + 2;
    } else if (tokens[at + 1] !== '(' && !GROUPING.has(tokens[at + 1] ?? '')) reading.selectors.push({ metric: token, labels: [] });
  }
  return reading;
}

const CLOSING: Record<string, string> = { '(': ')', '{': '}' };

function between(tokens: readonly string[], open: number): string[] {
  const end = tokens.indexOf(CLOSING[tokens[open]!]!, open);
  return tokens.slice(open + 1, end);
}

function holdBrackets(expression: string, tokens: readonly string[]): void {
  const open: string[] = [];
  for (const token of tokens) {
    if (CLOSING[token]) open.push(CLOSING[token]);
    else if ((token === ')' || token === '}') && open.pop() !== token) throw new Error(`brackets do not match: ${expression}`);
  }
  if (open.length > 0) throw new Error(`brackets do not match: ${expression}`);
}
