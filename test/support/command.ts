import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** What a command came to. */
export interface Outcome {
  readonly status: number | NodeJS.Signals | null;
  readonly output: string;
  readonly errors: string;
}

/** Starts a command line of the built service, with these settings only, and this standard input. */
export function spawnCommand(
  name: string,
  commandArguments: readonly string[],
  environment: Readonly<Record<string, string>>,
  input: string | Buffer = '',
): { child: ChildProcess; outcome: Promise<Outcome> } {
  const child = spawn(
    process.execPath,
    [`${process.cwd()}/dist/src/cli/${name}.js`, ...commandArguments],
    {
      // Where no file of settings is.
      cwd: `${process.cwd()}/dist`,
      env: { PATH: process.env['PATH'], ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
  // Whoever ends before has read all of it wants no more.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  return {
    child,
    outcome: Promise.all([text(child.stdout), text(child.stderr), closed]).then(
      ([output, errors, [code, signal]]) => ({ status: code ?? signal, output, errors }),
    ),
  };
}

/**
 * Runs one to its end.
 *
 * @param kill ends it by force when aborted
 */
export function runCommand(
  name: string,
  commandArguments: readonly string[],
  environment: Readonly<Record<string, string>>,
  kill?: AbortSignal,
): Promise<Outcome> {
  const { child, outcome } = spawnCommand(name, commandArguments, environment);
  kill?.addEventListener('abort', () => child.kill('SIGKILL'));
  return outcome;
}
