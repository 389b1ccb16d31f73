import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Compose files and settings other than those of a plain `docker compose up`. */
export interface Variant {
  readonly files?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** @returns what it printed @throws Error when it ends with another status than 0 */
export async function docker(words: readonly string[], variant: Variant = {}): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)('docker', words, {
    env: { ...process.env, ...variant.environment },
    maxBuffer: 2 ** 26,
  });
  return stdout + stderr;
}

/** The same for `docker compose`, on the project of the working directory. */
export async function compose(words: readonly string[], variant: Variant = {}): Promise<string> {
  const files = (variant.files ?? []).flatMap((file) => ['-f', file]);
  return docker(['compose', ...files, ...words], variant);
}

/** Runs a command in a container. @returns its standard output and error, trimmed */
export async function within(service: string, ...command: string[]): Promise<string> {
  return (await compose(['exec', '-T', service, ...command])).trim();
}

/** Starts what is not running, and waits until all of it is healthy. */
export async function up(words: readonly string[] = [], variant: Variant = {}): Promise<void> {
  await compose(['up', '-d', '--wait', '--wait-timeout', '120', ...words], variant);
}

/** Containers of a service, running or not. */
export async function containers(service: string): Promise<string[]> {
  return (await compose(['ps', '-aq', service])).trim().split('\n').filter(Boolean);
}

/** What is told about a container, of which only what is asked about has a type here. */
export interface Inspected {
  readonly Id: string;
  readonly Name: string;
  readonly RestartCount: number;
  readonly State: {
    readonly ExitCode: number;
    readonly Status: string;
    readonly Health?: { readonly Status: string };
  };
  readonly Config: { readonly User: string; readonly Env: readonly string[] };
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean;
    readonly CapDrop: readonly string[] | null;
    readonly CapAdd: readonly string[] | null;
    readonly SecurityOpt: readonly string[] | null;
    readonly PortBindings: Readonly<Record<string, unknown>>;
  };
}

/** Looks into containers. */
export async function inspect(ids: readonly string[]): Promise<Inspected[]> {
  return JSON.parse(await docker(['inspect', ...ids])) as Inspected[];
}
