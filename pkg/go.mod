module github.com/loongclaw/loongclaw/pkg

go 1.26.0
