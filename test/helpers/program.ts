/** The `rounds` program in this process, with a terminal that is listened to. */
import type { Io } from '../../cli/context.ts';
import { runProgram } from '../../cli/program.ts';

/** An `Io` that keeps what is written to it. */
export function listeningIo(): { io: Io; said(): { out: string; err: string } } {
  let [out, err] = ['', ''];
  const io: Io = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    terminal: false,
  };
  return { io, said: () => ({ out, err }) };
}

/** Runs a verb as the command line would, with this environment and no other. Returns its exit code and what it wrote. */
export async function rounds(env: Record<string, string>, ...args: string[]) {
  const { io, said } = listeningIo();
  const code = await runProgram(['node', 'rounds', ...args], { ROUNDS_LOG_LEVEL: 'silent', ...env }, io);
  return { code, ...said() };
}
