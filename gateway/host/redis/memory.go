package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/go-redis/redis_rate/v10"
	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/loongclaw/loongclaw/gateway/limit"
)

const (
	// answerWait bounds the wait for one answer: a request waits for it.
	answerWait = 500 * time.Millisecond
	// retryPause is how long a Redis that failed is left alone. One request after
	// that tries it; the others do not wait.
	retryPause = time.Second

	prefix = "loongclaw:"
)

// ErrGone says that Redis does not answer.
var ErrGone = errors.New("redis: it does not answer")

// Memory is one Redis.
type Memory struct {
	client *goredis.Client
	rates  *redis_rate.Limiter
	log    *slog.Logger
	now    func() time.Time

	mu    sync.Mutex
	gone  bool
	again time.Time // when to try it again, while it is gone
}

// Open makes a memory in the Redis at url. One that does not answer is no error:
// it may come later.
func Open(ctx context.Context, url string, log *slog.Logger, now func() time.Time) (*Memory, error) {
	o, err := goredis.ParseURL(url)
	if err != nil {
		return nil, errors.New("REDIS_URL cannot be read; write redis://:PASSWORD@HOST:6379/0") // the URL may hold a password
	}
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = answerWait, answerWait, answerWait, answerWait
	o.ContextTimeoutEnabled = true
	o.MaxRetries = -1 // what was spent by a try whose answer was lost would look spent before
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	goredis.SetLogger(quiet{log})
	m := &Memory{client: goredis.NewClient(o), log: log, now: now}
	m.rates = redis_rate.NewLimiter(m.client)
	_ = m.do(ctx, m.begin) // the log has it
	return m, nil
}

// Close ends the connections.
func (m *Memory) Close() error { return m.client.Close() }

// Take asks for one more under key, and counts it when it is allowed.
func (m *Memory) Take(ctx context.Context, key string, r limit.Rate) (a limit.Answer, err error) {
	err = m.do(ctx, func(ctx context.Context) error {
		got, err := m.rates.Allow(ctx, prefix+key, redis_rate.Limit{Rate: r.N, Burst: r.N, Period: r.Per})
		if err != nil {
			return err
		}
		a = limit.Answer{Allowed: got.Allowed > 0, Remaining: got.Remaining, Reset: got.ResetAfter, RetryAfter: max(0, got.RetryAfter)}
		return nil
	})
	return a, err
}

// Strike notes one more wrong credential under key.
func (m *Memory) Strike(ctx context.Context, key string, r limit.Rate) (a limit.Answer, err error) {
	err = m.do(ctx, func(ctx context.Context) error {
		v, err := strike.Run(ctx, m.client, []string{prefix + key}, r.N, r.Per.Milliseconds(), m.now().UnixMilli(), limit.LongestLock(r).Milliseconds()).Int64Slice()
		if err != nil || len(v) != 4 {
			return errors.Join(err, fmt.Errorf("redis: %d numbers", len(v)))
		}
		a = limit.Answer{Allowed: v[0] == 1, Remaining: int(v[1]), Reset: time.Duration(v[2]) * time.Millisecond, RetryAfter: time.Duration(v[3]) * time.Millisecond}
		return nil
	})
	return a, err
}

// Spend reports whether this call spent a key that can be spent from and until then,
// in Unix milliseconds; both 0: any time. What was given out before this Redis
// began to remember may have been spent, and does not count.
func (m *Memory) Spend(ctx context.Context, key string, from, until int64) (first bool, err error) {
	err = m.do(ctx, func(ctx context.Context) error {
		n, err := spend.Run(ctx, m.client, []string{prefix + "spent:" + key, prefix + "since"}, m.now().UnixMilli(), from, until).Int()
		first = n == 1
		return err
	})
	return first, err
}

// begin notes since when this Redis remembers.
func (m *Memory) begin(ctx context.Context) error {
	return m.client.SetNX(ctx, prefix+"since", m.now().UnixMilli(), 0).Err()
}

// do asks Redis, unless it is known to be gone.
func (m *Memory) do(ctx context.Context, f func(context.Context) error) error {
	ok, anew := m.mayAsk()
	if !ok {
		return ErrGone
	}
	// Whoever asked may go: that is not Redis's fault.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWait)
	defer cancel()
	var err error
	if anew {
		err = m.begin(ctx) // it may have lost its memory
	}
	if err == nil {
		err = f(ctx)
	}
	m.note(err)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	return nil
}

// mayAsk reports whether to ask now, and whether Redis is asked anew: while it is
// gone, one in retryPause may.
func (m *Memory) mayAsk() (ok, anew bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.gone {
		return true, false
	}
	now := m.now()
	if now.Before(m.again) {
		return false, true
	}
	m.again = now.Add(retryPause)
	return true, true
}

// note logs when Redis goes and when it comes back.
func (m *Memory) note(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	was := m.gone
	m.gone = err != nil
	switch {
	case m.gone && !was:
		m.again = m.now().Add(retryPause)
		m.log.Warn("Redis does not answer: until it does, limits count in this process alone, and tickets and login codes are refused", "error", err)
	case was && !m.gone:
		m.log.Info("Redis answers again")
	}
}

// quiet has what the client says of its own accord in the debug log.
type quiet struct{ log *slog.Logger }

func (q quiet) Printf(ctx context.Context, format string, v ...any) {
	q.log.DebugContext(ctx, "redis: "+fmt.Sprintf(format, v...))
}
