import { type ExecutionContext, Injectable } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { Request } from 'express';
import { RequestValidationPipe } from '../validation/request-validation.pipe';
import { LoginDto } from './dto/login.dto';

/**
 * Checks the form of a login and lets passport-local verify it. Guards run before pipes, so the
 * form is checked here; and passport-local would also look for credentials in the query, where
 * every log keeps them, so it does not get to see that.
 */
@Injectable()
export class LocalAuthGuard extends AuthGuard('local') {
  constructor(private readonly validation: RequestValidationPipe) {
    super();
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request>();
    request.body = await this.validation.body(LoginDto, request.body);
    Object.defineProperty(request, 'query', { value: {} });
    return (await super.canActivate(context)) as boolean;
  }
}
