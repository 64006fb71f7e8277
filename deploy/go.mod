module github.com/loongclaw/loongclaw/deploy

go 1.26.0

require (
	github.com/coder/websocket v1.8.15
	github.com/google/go-cmp v0.7.0
	github.com/loongclaw/loongclaw/pkg v0.0.0
)

replace github.com/loongclaw/loongclaw/pkg => ../pkg
