import type { SharedFault } from './fault.ts';

/** The public listener is closed; the control listener stays. A clinic that is started again is open. */
export const everythingDown: SharedFault = {
  name: 'everything-down',
  scope: 'everyone',
  title: 'Everything down',
  explains: 'The web server of all clinics stops listening: connections are refused.',
  isOn: async ({ front }) => !front.isOpen(),
  turnOn: ({ front }) => front.close(),
  turnOff: ({ front }) => front.open(),
};
