import type { Writable } from 'node:stream';
import { Command, CommanderError } from 'commander';
import pino from 'pino';
import { readEnvironment } from '../config/environment';
import { parseSettings, type Settings } from '../config/settings';
import { StartError } from '../config/start-error';
import { type Manners, ServiceDataSource } from '../database/data-source';
import { reasonOf } from '../logging/safe-error';

/** Exit status of every command. */
export const EXIT = { ok: 0, no: 1, couldNotLook: 2 } as const;

/** A command that cannot be carried out as it was given; the message says what to do. */
export class CommandError extends Error {
  override readonly name = 'CommandError';

  constructor(
    message: string,
    readonly status: number = EXIT.no,
  ) {
    super(message);
  }
}

/** A command line without commands yet. */
export function commandLine(name: string, description: string): Command {
  // Before there are commands in it, which take this over.
  return new Command(name).description(description).exitOverride();
}

/** Runs the command that the process was started with, and ends the process with its exit status. */
export async function runCommandLine(program: Command): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = statusOf(error);
  }
  await written(process.stdout);
  // Nothing that is still open is waited for.
  process.exit();
}

/** Until whoever reads at the other end of a pipe has everything, or has gone. */
async function written(stream: Writable): Promise<void> {
  stream.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    stream.write('', () => {
      resolve();
    });
  });
}

function statusOf(error: unknown): number {
  // It has said itself what is wrong with the arguments, or was asked for help.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.couldNotLook;
  if (error instanceof CommandError) {
    console.error(error.message);
    return error.status;
  }
  if (error instanceof StartError) {
    console.error(error.message);
  } else {
    console.error(`It could not be done: ${reasonOf(error)}`);
  }
  return EXIT.couldNotLook;
}

/**
 * Does something with the database of the settings.
 *
 * @throws CommandError when it cannot be reached
 */
export async function withDatabase<T>(
  manners: Manners,
  work: (dataSource: ServiceDataSource, settings: Settings) => Promise<T>,
): Promise<T> {
  const settings = parseSettings(readEnvironment());
  const dataSource = await ServiceDataSource.open(settings, pino({ level: 'silent' }), manners);
  try {
    await dataSource.initialize();
  } catch (error) {
    await dataSource.release();
    if (error instanceof StartError) throw error;
    throw new CommandError(
      `The database ${settings.DB_NAME} at ${settings.INSTANCE_HOST} cannot be reached (${reasonOf(error)}): look at INSTANCE_HOST, DB_PORT, DB_NAME, DB_USER and DB_PASS`,
      EXIT.couldNotLook,
    );
  }
  try {
    return await work(dataSource, settings);
  } finally {
    await dataSource.destroy();
  }
}
