module github.com/loongclaw/loongclaw/agent

go 1.26.0

require github.com/loongclaw/loongclaw/pkg v0.0.0

require (
	github.com/JohannesKaufmann/dom v0.3.1 // indirect
	github.com/JohannesKaufmann/html-to-markdown/v2 v2.5.2 // indirect
	github.com/google/go-cmp v0.7.0 // indirect
	github.com/tmc/langchaingo v0.1.14 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	mvdan.cc/sh/v3 v3.14.1 // indirect
)

replace github.com/loongclaw/loongclaw/pkg => ../pkg
