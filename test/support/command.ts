import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** What a command came to. */
export interface Outcome {
  readonly status: number | NodeJS.Signals | null;
  readonly output: string;
  readonly errors: string;
}

/**
 * Runs a command line of the built service, with these settings only.
 *
 * @param kill ends it by force when aborted
 */
export async function runCommand(
  name: string,
  commandArguments: readonly string[],
  environment: Readonly<Record<string, string>>,
  kill?: AbortSignal,
): Promise<Outcome> {
  const child = spawn(
    process.execPath,
    [`${process.cwd()}/dist/src/cli/${name}.js`, ...commandArguments],
    {
      // Where no file of settings is.
      cwd: `${process.cwd()}/dist`,
      env: { PATH: process.env['PATH'], ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  kill?.addEventListener('abort', () => child.kill('SIGKILL'));
  const [output, errors, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
  ]);
  return { status: code ?? signal, output, errors };
}
