import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuthModule } from '../auth/auth.module';
import { ConfigModule } from '../config/config.module';
import type { Settings } from '../config/settings';
import { signingKeys } from '../config/signing-keys';
import type { ServiceDataSource } from '../database/data-source';
import { DatabaseModule } from '../database/database.module';
import { LimitsModule } from '../limits/limits.module';
import { MailModule } from '../mail/mail.module';
import { PasswordModule } from '../password/password.module';
import { RecoveryModule } from '../recovery/recovery.module';
import { SessionModule } from '../session/session.module';
import { User } from '../user/user.entity';
import { UserModule } from '../user/user.module';
import { RequestValidationPipe } from '../validation/request-validation.pipe';
import { AccountExport } from './account-export.service';
import { AccountImport } from './account-import.service';
import { AccountLookup } from './account-lookup.service';
import { Operator } from './operator';
import { OperatorService } from './operator.service';

/** What an operator needs of the service: its features, and none of its background jobs. */
@Module({})
export class OperatorModule {
  /** @param dataSource connected */
  static forRoot(
    settings: Settings,
    dataSource: ServiceDataSource,
    operator: Operator,
  ): DynamicModule {
    return {
      module: OperatorModule,
      imports: [
        ConfigModule.forRoot(settings, signingKeys(settings)),
        DatabaseModule.forRoot(dataSource),
        TypeOrmModule.forFeature([User]),
        UserModule,
        AuthModule,
        SessionModule,
        PasswordModule,
        LimitsModule,
        MailModule,
        RecoveryModule,
      ],
      providers: [
        OperatorService,
        AccountLookup,
        AccountExport,
        AccountImport,
        RequestValidationPipe,
        { provide: Operator, useValue: operator },
      ],
    };
  }
}
