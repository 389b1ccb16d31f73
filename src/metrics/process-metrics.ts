import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { version } from '../../package.json';
import { MIGRATIONS } from '../database/data-source';

/** prom-client's sums of others, that look like counters and are none: `promtool check metrics` objects. */
const MISNAMED = ['handles', 'requests', 'resources'].map((what) => `nodejs_active_${what}_total`);

/** The process: memory, processor, event loop, garbage; and what it is. */
@Injectable()
export class ProcessMetrics {
  constructor(registry: Registry) {
    collectDefaultMetrics({ register: registry });
    for (const name of MISNAMED) registry.removeSingleMetric(name);
    new Gauge({
      name: 'user_account_build_info',
      help: 'Always 1: version of the service and of Node, and the migration that the schema has to have.',
      labelNames: ['version', 'node', 'schema'],
      registers: [registry],
    }).set({ version, node: process.version, schema: MIGRATIONS.at(-1)?.name ?? '' }, 1);
  }
}
