module github.com/loongclaw/loongclaw/deploy

go 1.26.0

require github.com/loongclaw/loongclaw/pkg v0.0.0

replace github.com/loongclaw/loongclaw/pkg => ../pkg
