import { Body, Controller, Get, Header, HttpCode, Post, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { type Client, FromClient } from '../http/client.decorator';
import { Public } from '../http/public.decorator';
import {
  ApiBodyErrors,
  ApiCommonErrors,
  ApiErrorResponse,
  ApiHashing,
  ApiLimited,
  ApiToken,
} from '../openapi/decorators';
import { CurrentUser } from './current-user.decorator';
import { CreateUserDto } from './dto/create-user.dto';
import { toUserResponse, UserResponse } from './dto/user.response';
import type { User } from './user.entity';
import { UserService } from './user.service';

/** Accounts over HTTP. */
@ApiTags('user')
@ApiCommonErrors()
@Controller('user')
export class UserController {
  constructor(private readonly users: UserService) {}

  @Public()
  @Post('create')
  @HttpCode(204)
  @ApiOperation({ summary: 'Sign up' })
  @ApiResponse({ status: 204, description: 'The account exists and can log in.' })
  @ApiErrorResponse(409, ['userExists'])
  @ApiBodyErrors()
  @ApiHashing()
  @ApiLimited(['tooManyRequests'])
  async create(@Body() body: CreateUserDto, @FromClient() client: Client): Promise<void> {
    await this.users.create(body, client);
  }

  @Get('me')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Who am I' })
  @ApiToken()
  @ApiOkResponse({
    type: UserResponse,
    headers: { 'X-User-Id': { description: 'The `id`.', schema: { type: 'integer' } } },
  })
  me(@CurrentUser() user: User, @Res({ passthrough: true }) response: Response): UserResponse {
    // For a proxy that asks before it lets a request through, and reads no bodies.
    response.set('X-User-Id', String(user.id));
    return toUserResponse(user);
  }
}
