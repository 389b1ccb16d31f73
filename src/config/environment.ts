import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

/** Names and values as an operator gives them: all text. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What the process was started with, completed by `.env.local` and then by `.env` of the working
 * directory. A name given in several places has the value of the first; an empty value counts as
 * none, so that `NAME=` in a file is a reminder and not a setting.
 *
 * This is the only place that reads `process.env`.
 */
export function readEnvironment(directory = process.cwd()): Environment {
  const sources = [
    process.env,
    readEnvFile(join(directory, '.env.local')),
    readEnvFile(join(directory, '.env')),
  ];
  const environment: Record<string, string> = {};
  for (const source of sources) {
    for (const [name, value] of Object.entries(source)) {
      if (value !== undefined && value !== '') environment[name] ??= value;
    }
  }
  return environment;
}

function readEnvFile(path: string): Environment {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  return parseEnv(text);
}
