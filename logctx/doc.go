// Package logctx reads the fields of the running task from a [context.Context], for log records: which execution, task
// and worker they belong to, and which step, queue and attempt.
//
// A program uses it through the injector for its logging library, which it adds to the logger that it has:
//
//   - logctx/slog: a [log/slog.Handler] around another;
//   - logctx/zap: a zapcore.Core around another;
//   - logctx/zerolog: a hook.
//
// Outside a task an injector adds nothing. What a workflow logs while it replays has been logged before and is dropped.
//
// An injector for another library is made of a [Reader], and proves itself with logctx/logctxtest.
package logctx
