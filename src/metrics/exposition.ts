import { createHash, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Registry } from 'prom-client';
import { Settings } from '../config/settings';
import { DatabaseMetrics } from './database-metrics';

/** What is measured, in Prometheus' text format, and who may have it. */
@Injectable()
export class Exposition {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;

  constructor(
    private readonly registry: Registry,
    private readonly database: DatabaseMetrics,
    private readonly settings: Settings,
  ) {}

  /** All of it, as it is now; within two seconds, whether the database answers or not. */
  async write(): Promise<string> {
    await this.database.look();
    return this.registry.metrics();
  }

  /**
   * Whether an `Authorization` header has `METRICS_TOKEN` (RFC 6750 §2.1), or there is none. It takes
   * as long for a token that is almost right.
   */
  isAllowed(authorization = ''): boolean {
    const { METRICS_TOKEN } = this.settings;
    if (METRICS_TOKEN === '') return true;
    const [, token = ''] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
    return timingSafeEqual(digest(token), digest(METRICS_TOKEN));
  }
}

/** Of one length, whatever is compared. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
