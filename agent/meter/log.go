package meter

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/telemetry/metrics"
)

// logMetrics are about the log: what nobody is told of by an answer is there.
type logMetrics struct {
	records *metrics.Children[slog.Level, prometheus.Counter]
	damage  prometheus.Counter
}

func newLogs(r *metrics.Registry) *logMetrics {
	records := r.Counter("loongclaw_agent_log_records_total", "Lines of the log.", "level")
	damage := r.Counter("loongclaw_agent_journal_damage_total", "Times that a damaged journal was met. agent verify names it.")
	l := &logMetrics{
		records: metrics.NewChildren(func(l slog.Level) prometheus.Counter { return records.WithLabelValues(l.String()) }),
		damage:  damage.WithLabelValues(),
	}
	l.records.Of(slog.LevelWarn)
	l.records.Of(slog.LevelError)
	return l
}

// Log counts what passes a log's handler. Every way on which damage is met ends in
// a line that holds its error.
func (m *Meter) Log(next slog.Handler) slog.Handler { return &lines{m.logs, next} }

type lines struct {
	*logMetrics
	next slog.Handler
}

// Enabled is the handler's own.
func (l *lines) Enabled(ctx context.Context, level slog.Level) bool {
	return l.next.Enabled(ctx, level)
}

// Handle counts and hands on.
func (l *lines) Handle(ctx context.Context, r slog.Record) error {
	l.records.Of(r.Level).Inc()
	r.Attrs(func(a slog.Attr) bool {
		// A snapshot that cannot be right is a warning: it is only a cache.
		if r.Level < slog.LevelError {
			return false
		}
		if err, ok := a.Value.Any().(error); ok && fault.CodeOf(err) == fault.CodeDamaged {
			l.damage.Inc()
			return false
		}
		return true
	})
	return l.next.Handle(ctx, r)
}

// WithAttrs is the handler's own, counted too.
func (l *lines) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &lines{l.logMetrics, l.next.WithAttrs(attrs)}
}

// WithGroup is the handler's own, counted too.
func (l *lines) WithGroup(name string) slog.Handler {
	return &lines{l.logMetrics, l.next.WithGroup(name)}
}

var _ slog.Handler = (*lines)(nil)
