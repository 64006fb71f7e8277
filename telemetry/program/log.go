package program

import (
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/loongclaw/loongclaw/pkg/redact"
)

// Log says how a program logs.
type Log struct {
	Level   slog.Level
	Format  string   // text, or JSON
	Secrets []string // what no line may show
}

// Logger returns a log that writes to out.
func (l Log) Logger(out io.Writer) *slog.Logger {
	out = redact.Writer(out, l.Secrets...)
	options := &slog.HandlerOptions{Level: l.Level, ReplaceAttr: withCause}
	if l.Format == "text" {
		return slog.New(slog.NewTextHandler(out, options))
	}
	return slog.New(slog.NewJSONHandler(out, options))
}

// OpenLogFile opens LOG_FILE to write on at its end.
func OpenLogFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // whoever runs the program names it
	if err != nil {
		return nil, fmt.Errorf("LOG_FILE: %w\nNext: name a file in a directory that exists", err)
	}
	return f, nil
}

// withCause writes an error with its cause, which the JSON of one of ours, made
// for clients, leaves out.
func withCause(_ []string, a slog.Attr) slog.Attr {
	if err, ok := a.Value.Any().(error); ok {
		a.Value = slog.StringValue(err.Error())
	}
	return a
}
