import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { Request } from 'express';
import { Strategy } from 'passport-local';
import { clientOf } from '../http/client.decorator';
import { AuthService } from './auth.service';

/** Verifies the username and password of a form that `LocalAuthGuard` has checked. */
@Injectable()
export class LocalStrategy extends PassportStrategy(Strategy) {
  constructor(private readonly auth: AuthService) {
    super({ passReqToCallback: true });
  }

  async validate(request: Request, username: string, password: string): Promise<Express.User> {
    return { account: await this.auth.verifyPassword(username, password, clientOf(request)) };
  }
}
