/** What can be typed. Made from what the commands say of themselves. Pure. */
import { type Message, message, section } from './blocks.ts';

export interface HelpEntry {
  verb: string;
  arguments: string;
  summary: string;
  example: string;
  changes: boolean;
}

/** All commands, each with an example; the one for help last. */
export function renderHelp(entries: readonly HelpEntry[]): Message {
  const sorted = [...entries].sort((a, b) => Number(a.verb === 'help') - Number(b.verb === 'help') || a.verb.localeCompare(b.verb));
  const lines = sorted.map((entry) => {
    const usage = ['/rounds', entry.verb, entry.arguments].filter(Boolean).join(' ');
    const who = entry.changes ? ' Only for people listed in rounds.yaml.' : '';
    const example = entry.arguments ? ` For example \`${entry.example}\`.` : '';
    return `\`${usage}\`\n${entry.summary}${who}${example}`;
  });
  return message('What you can type', [section('*What you can type.* Only you see the answers.'), ...lines.map((line) => section(line))]);
}
