import type { Environment } from '../config/environment';
import { parseSettings, type Settings, SettingsError } from '../config/settings';
import { backupCheck } from './backup-check';
import { lookAtOnce, type Result, type Status } from './check';
import { hasDatabase, lookIntoDatabase } from './database';
import { hashingCheck } from './hashing-checks';
import { machineChecks } from './machine-checks';
import { mailServerCheck } from './mail-checks';
import { lookFromOutside } from './outside';
import type { Login } from './proxy-checks';
import { badSettings, settingsChecks } from './settings-checks';

/** What is to be looked at. */
export interface Asked {
  /** Base of the page; undefined looks from inside only. */
  readonly url: URL | undefined;
  readonly login: Login | undefined;
  /** A backup, or where they are. */
  readonly backup: string | undefined;
}

/** Everything that was found. */
export interface Report {
  /** Whether anything answered that was asked. */
  readonly reached: boolean;
  readonly summary: Readonly<Record<Status, number>>;
  readonly checks: readonly Result[];
}

/** What a part of it has come to: nobody asked, or somebody, who answered or did not. */
interface Part {
  readonly results: readonly Result[];
  readonly reached?: boolean;
}

const NOTHING: Part = { results: [] };

/**
 * Asks a deployment what usually goes wrong, and changes nothing: from outside where there is a URL,
 * and from inside where there is none or the settings name a database.
 *
 * @param environment that the settings are of
 */
export async function examine(asked: Asked, environment: Environment): Promise<Report> {
  const { url, login, backup } = asked;
  const isInside = url === undefined || (environment['INSTANCE_HOST'] ?? '') !== '';
  const settings = isInside ? readSettings(environment) : undefined;
  const known = settings instanceof SettingsError ? undefined : settings;
  const [outside, ofSettings, database] = await Promise.all([
    url === undefined ? NOTHING : lookFromOutside({ url, login, settings: known }),
    settings === undefined ? [] : lookAtSettings(settings, environment, url),
    known === undefined ? NOTHING : lookIntoDatabase(known),
  ]);
  // Hashing takes all of a machine: what is measured beside it would be wrong.
  const machine = await lookAtMachine(known, backup);
  const checks = [...outside.results, ...ofSettings, ...database.results, ...machine];
  const reached = [outside.reached, database.reached].filter((one) => one !== undefined);
  const count = (wanted: Status): number => checks.filter(({ status }) => status === wanted).length;
  return {
    reached: reached.length === 0 || reached.includes(true),
    summary: { ok: count('ok'), advice: count('advice'), problem: count('problem') },
    checks,
  };
}

/** Whether there is anything to look at from inside. */
export function isThere(environment: Environment): boolean {
  const settings = readSettings(environment);
  return settings instanceof SettingsError || hasDatabase(settings);
}

function readSettings(environment: Environment): Settings | SettingsError {
  try {
    return parseSettings(environment);
  } catch (error) {
    if (error instanceof SettingsError) return error;
    throw error;
  }
}

function lookAtSettings(
  settings: Settings | SettingsError,
  environment: Environment,
  url: URL | undefined,
): Promise<Result[]> {
  return lookAtOnce(
    'settings',
    settings instanceof SettingsError
      ? [badSettings(settings)]
      : settingsChecks(settings, environment, url),
  );
}

/** The machine is that of the service where its settings are. */
async function lookAtMachine(
  settings: Settings | undefined,
  backup: string | undefined,
): Promise<Result[]> {
  const isBackupAsked = settings !== undefined || backup !== undefined;
  return lookAtOnce('machine', [
    ...(settings === undefined ? [] : [hashingCheck(settings), mailServerCheck(settings)]),
    ...(isBackupAsked ? [backupCheck(backup)] : []),
    ...(settings === undefined ? [] : machineChecks(settings)),
  ]);
}
