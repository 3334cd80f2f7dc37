import type { CommandVerb } from '../contract.ts';
import { renderHelp } from '../render/help.ts';

const help: CommandVerb = {
  verb: 'help',
  arguments: '',
  summary: 'What you can type.',
  example: '/rounds help',
  changes: false,
  run: async ({ verbs }) => renderHelp(verbs),
};

export default help;
