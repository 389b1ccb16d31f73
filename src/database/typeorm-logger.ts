import type { Logger as PinoLogger } from 'pino';
import type { Logger } from 'typeorm';

/**
 * What TypeORM has to say, without what its own loggers add: they print the parameters of a failed
 * query, password hashes among them. A failed query is logged by whoever meets the error.
 */
export class TypeOrmLogger implements Logger {
  constructor(private readonly logger: PinoLogger) {}

  logQuery(): void {
    // Every request would be a line.
  }

  logQueryError(): void {
    // Thrown to the caller, who knows whether it matters.
  }

  logQuerySlow(): void {
    // Only called with `maxQueryExecutionTime` set, which it is not.
  }

  logSchemaBuild(message: string): void {
    this.logger.info(message);
  }

  logMigration(message: string): void {
    this.logger.info(message);
  }

  log(level: 'log' | 'info' | 'warn', message: unknown): void {
    this.logger[level === 'warn' ? 'warn' : 'info'](String(message));
  }
}
