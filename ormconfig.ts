import { readEnvironment } from './src/config/environment';
import { parseSettings } from './src/config/settings';
import { ServiceDataSource } from './src/database/data-source';
import { createLogger } from './src/logging/logger';

/** What the TypeORM command line works on: `-d ormconfig.ts`, or `-d dist/ormconfig.js`. */
const settings = parseSettings(readEnvironment());
export default ServiceDataSource.open(settings, createLogger(settings));
