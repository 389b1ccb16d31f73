import { type MiddlewareConsumer, Module, type NestModule, RequestMethod } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { PassportModule } from '@nestjs/passport';
import { SigningKeys } from '../config/signing-keys';
import { formBody, jsonBody, optionalJsonBody } from '../http/body';
import { LimitsModule } from '../limits/limits.module';
import { MailModule } from '../mail/mail.module';
import { PasswordModule } from '../password/password.module';
import { RefuseOverload } from '../password/refuse-overload.middleware';
import { RecoveryModule } from '../recovery/recovery.module';
import { SessionModule } from '../session/session.module';
import { UserModule } from '../user/user.module';
import { RequestValidationPipe } from '../validation/request-validation.pipe';
import { AccountAccess } from './account-access.service';
import { AccountController } from './account.controller';
import { AccountService } from './account.service';
import { AuthController } from './auth.controller';
import { AuthService } from './auth.service';
import { BrowserSessionController } from './browser-session.controller';
import { JwtStrategy } from './jwt.strategy';
import { LocalStrategy } from './local.strategy';
import { PasswordConfirmation } from './password-confirmation.service';
import { RecoveryController } from './recovery.controller';
import { RecoveryService } from './recovery.service';
import { SessionController } from './session.controller';
import { TokenController } from './token.controller';
import { TokenService } from './token.service';

const post = (path: string): { path: string; method: RequestMethod } => ({
  path,
  method: RequestMethod.POST,
});

@Module({
  imports: [
    UserModule,
    SessionModule,
    PasswordModule,
    LimitsModule,
    MailModule,
    RecoveryModule,
    PassportModule,
    JwtModule.registerAsync({
      inject: [SigningKeys],
      useFactory: ({ current }: SigningKeys) => ({ secret: current }),
    }),
  ],
  controllers: [
    AuthController,
    BrowserSessionController,
    TokenController,
    SessionController,
    AccountController,
    RecoveryController,
  ],
  providers: [
    AuthService,
    AccountService,
    AccountAccess,
    PasswordConfirmation,
    RecoveryService,
    TokenService,
    LocalStrategy,
    JwtStrategy,
    RequestValidationPipe,
  ],
  exports: [AccountService, AccountAccess],
})
export class AuthModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer
      .apply(RefuseOverload)
      .forRoutes(
        ...[
          'user/login',
          'user/session',
          'user/password',
          'user/password/reset',
          'user/delete',
          'user/email',
          'user/email/verify',
        ].map(post),
      )
      .apply(...formBody)
      .forRoutes(...['user/login', 'user/session', 'user/token'].map(post))
      .apply(...optionalJsonBody)
      .forRoutes(post('user/email/verify/resend'))
      .apply(...jsonBody)
      .forRoutes(
        ...[
          'user/password',
          'user/password/forgot',
          'user/password/reset',
          'user/email',
          'user/email/verify',
          'user/email/revert',
          'user/delete',
        ].map(post),
        { path: 'user/me', method: RequestMethod.PATCH },
      );
  }
}
