import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { POOL_SIZE, ServiceDataSource } from '../database/data-source';

/** From a connection that is free to the end of all patience. */
const BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 1.5];

/** The connections to the database, and who waits for one. */
@Injectable()
export class PoolMetrics {
  constructor(registry: Registry, @InjectDataSource() dataSource: ServiceDataSource) {
    const registers = [registry];
    new Gauge({
      name: 'user_account_database_connections_max',
      help: 'Most connections of this process.',
      registers,
    }).set(POOL_SIZE);
    new Gauge({
      name: 'user_account_database_connections',
      help: 'Connections of this process that are in use, and that are open and idle.',
      labelNames: ['state'],
      registers,
      collect() {
        const { totalCount = 0, idleCount = 0 } = dataSource.pool ?? {};
        this.set({ state: 'used' }, totalCount - idleCount);
        this.set({ state: 'idle' }, idleCount);
      },
    });
    new Gauge({
      name: 'user_account_database_connections_waited_for',
      help: 'Who waits for a connection now.',
      registers,
      collect() {
        this.set(dataSource.pool?.waitingCount ?? 0);
      },
    });
    const waited = new Histogram({
      name: 'user_account_database_connection_wait_seconds',
      help: 'How long a connection was waited for, whether one was got or not.',
      buckets: BUCKETS,
      registers,
    });
    const failed = new Counter({
      name: 'user_account_database_connection_failures_total',
      help: 'How often there was no connection to be had, or none in time.',
      registers,
    });
    dataSource.connections.on('connected', (seconds) => {
      waited.observe(seconds);
    });
    dataSource.connections.on('failed', (seconds) => {
      waited.observe(seconds);
      failed.inc();
    });
  }
}
