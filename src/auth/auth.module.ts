import { type MiddlewareConsumer, Module, type NestModule, RequestMethod } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { PassportModule } from '@nestjs/passport';
import { SigningKeys } from '../config/signing-keys';
import { formBody } from '../http/body';
import { PasswordModule } from '../password/password.module';
import { RefuseOverload } from '../password/refuse-overload.middleware';
import { UserModule } from '../user/user.module';
import { BodyValidationPipe } from '../validation/body-validation.pipe';
import { AuthController } from './auth.controller';
import { AuthService } from './auth.service';
import { JwtStrategy } from './jwt.strategy';
import { LocalStrategy } from './local.strategy';
import { TokenService } from './token.service';

@Module({
  imports: [
    UserModule,
    PasswordModule,
    PassportModule,
    JwtModule.registerAsync({
      inject: [SigningKeys],
      useFactory: ({ current }: SigningKeys) => ({ secret: current }),
    }),
  ],
  controllers: [AuthController],
  providers: [AuthService, TokenService, LocalStrategy, JwtStrategy, BodyValidationPipe],
})
export class AuthModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer
      .apply(RefuseOverload, ...formBody)
      .forRoutes({ path: 'user/login', method: RequestMethod.POST });
  }
}
