import { type DynamicModule, Module } from '@nestjs/common';
import { Registry } from 'prom-client';
import type { Settings } from '../config/settings';
import { PasswordModule } from '../password/password.module';
import { DatabaseMetrics } from './database-metrics';
import { Exposition } from './exposition';
import { HashMetrics } from './hash-metrics';
import { MetricsServer } from './metrics-server';
import { MetricsController } from './metrics.controller';
import { Outcomes } from './outcomes';
import { PoolMetrics } from './pool-metrics';
import { ProcessMetrics } from './process-metrics';
import { RequestMetrics } from './request-metrics';
import { SecurityMetrics } from './security-metrics';

/** What is measured of an app, in a registry of its own. */
@Module({})
export class MetricsModule {
  static forRoot({ METRICS_TOKEN }: Settings): DynamicModule {
    return {
      module: MetricsModule,
      imports: [PasswordModule],
      controllers: METRICS_TOKEN === '' ? [] : [MetricsController],
      providers: [
        { provide: Registry, useFactory: () => new Registry() },
        ProcessMetrics,
        RequestMetrics,
        Outcomes,
        SecurityMetrics,
        HashMetrics,
        PoolMetrics,
        DatabaseMetrics,
        Exposition,
        MetricsServer,
      ],
    };
  }
}
