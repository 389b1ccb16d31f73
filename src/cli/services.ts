import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Settings } from '../config/settings';
import { isRefusedByData } from '../database/database-errors';
import type { Manners } from '../database/data-source';
import { ApiError, ValidationFailed } from '../errors/api-error';
import { validationBody } from '../errors/error-body';
import { MESSAGES } from '../errors/messages';
import { NestLogger } from '../logging/nest-logger';
import { OperatorError } from '../operator/operator.errors';
import { Operator } from '../operator/operator';
import { OperatorModule } from '../operator/operator.module';
import { useNestForRules } from '../validation/container';
import { CommandError, EXIT, withDatabase } from './command-line';
import { commandLog, operatorName } from './operator';

/**
 * Does something with the services of the features.
 *
 * @throws CommandError for what they refuse, in words
 */
export async function withServices<T>(
  manners: Manners,
  work: (app: INestApplicationContext, settings: Settings) => Promise<T>,
): Promise<T> {
  return withDatabase(manners, async (dataSource, settings) => {
    if ((await dataSource.pendingMigrations()).length > 0) {
      throw new CommandError(
        'The schema is not that of this version: run the migrations first, or start the service with its embedded database',
        EXIT.couldNotLook,
      );
    }
    const log = commandLog();
    const app = await NestFactory.createApplicationContext(
      OperatorModule.forRoot(settings, dataSource, new Operator(log, operatorName())),
      { abortOnError: false, logger: new NestLogger(log.child({}, { level: 'warn' })) },
    );
    useNestForRules(app);
    return work(app, settings).catch(asCommandError);
  });
}

function asCommandError(error: unknown): never {
  if (error instanceof OperatorError) throw new CommandError(error.message);
  if (error instanceof ApiError) throw new CommandError(MESSAGES[error.messageName].en);
  if (error instanceof ValidationFailed) throw new CommandError(problemsOf(error));
  if (isRefusedByData(error)) throw new CommandError(MESSAGES.refusedByData.en);
  throw error;
}

/** In the words of the API, a line each. */
function problemsOf({ errors }: ValidationFailed): string {
  const { detail } = validationBody(errors, 'en');
  if (typeof detail === 'string') return detail;
  return detail
    .map(({ loc, msg }) => `${String(loc.at(-1)).replace(/\d$/, '')}: ${msg}`)
    .join('\n');
}
