import { type DynamicModule, Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { ServiceDataSource } from './data-source';
import { DatabaseService } from './database.service';

@Global()
@Module({})
export class DatabaseModule {
  /** @param dataSource not connected yet: `DatabaseService` does that, however long it takes */
  static forRoot(dataSource: ServiceDataSource): DynamicModule {
    return {
      module: DatabaseModule,
      imports: [
        TypeOrmModule.forRootAsync({
          useFactory: () => ({ manualInitialization: true }),
          dataSourceFactory: () => Promise.resolve(dataSource),
        }),
      ],
      providers: [DatabaseService],
      exports: [DatabaseService],
    };
  }
}
