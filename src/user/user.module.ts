import { type MiddlewareConsumer, Module, type NestModule, RequestMethod } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { jsonBody } from '../http/body';
import { LimitsModule } from '../limits/limits.module';
import { MailModule } from '../mail/mail.module';
import { PasswordModule } from '../password/password.module';
import { RefuseOverload } from '../password/refuse-overload.middleware';
import { RecoveryModule } from '../recovery/recovery.module';
import { UserController } from './user.controller';
import { User } from './user.entity';
import { UserService } from './user.service';

@Module({
  imports: [
    TypeOrmModule.forFeature([User]),
    PasswordModule,
    LimitsModule,
    MailModule,
    RecoveryModule,
  ],
  controllers: [UserController],
  providers: [UserService],
  exports: [UserService],
})
export class UserModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer
      .apply(RefuseOverload, ...jsonBody)
      .forRoutes({ path: 'user/create', method: RequestMethod.POST });
  }
}
