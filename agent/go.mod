module github.com/loongclaw/loongclaw/agent

go 1.26.0

require github.com/loongclaw/loongclaw/pkg v0.0.0

require (
	github.com/google/go-cmp v0.7.0 // indirect
	github.com/tmc/langchaingo v0.1.14 // indirect
)

replace github.com/loongclaw/loongclaw/pkg => ../pkg
