package langchain

import (
	"context"
	"io"
	"log/slog"
	"net/http/httptrace"
)

func logTo(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func tracing(ctx context.Context, conns map[string]bool) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		conns[i.Conn.LocalAddr().String()] = true
	}})
}
