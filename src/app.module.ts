import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core';
import { AuthModule } from './auth/auth.module';
import { JwtAuthGuard } from './auth/jwt-auth.guard';
import { ConfigModule } from './config/config.module';
import type { Settings } from './config/settings';
import type { SigningKeys } from './config/signing-keys';
import type { ServiceDataSource } from './database/data-source';
import { DatabaseModule } from './database/database.module';
import { ApiExceptionFilter } from './errors/exception.filter';
import { HealthModule } from './health/health.module';
import { JobsModule } from './jobs.module';
import { MailboxController } from './mail/mailbox.controller';
import { MetricsModule } from './metrics/metrics.module';
import { UserModule } from './user/user.module';
import { RequestValidationPipe } from './validation/request-validation.pipe';

/** Everything, wired. */
@Module({})
export class AppModule {
  static forRoot(
    settings: Settings,
    keys: SigningKeys,
    dataSource: ServiceDataSource,
  ): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(settings, keys),
        DatabaseModule.forRoot(dataSource),
        UserModule,
        AuthModule,
        HealthModule,
        JobsModule,
        ...(settings.isMeasured ? [MetricsModule.forRoot(settings)] : []),
      ],
      controllers: settings.mail === 'kept' ? [MailboxController] : [],
      providers: [
        { provide: APP_FILTER, useClass: ApiExceptionFilter },
        { provide: APP_GUARD, useClass: JwtAuthGuard },
        { provide: APP_PIPE, useClass: RequestValidationPipe },
      ],
    };
  }
}
