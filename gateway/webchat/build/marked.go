package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"

	"github.com/evanw/esbuild/pkg/api"
)

// withoutWriter leaves out the half of marked that writes HTML, 3 kB with gzip.
// The page reads Markdown with marked's lexer and draws a tree of its own, but
// marked makes a whole instance when its file is loaded, so that a bundler
// cannot tell that nobody asks it: what is then assigned to an exported function
// (`x.use = …`) counts as an effect, which neither esbuild's Pure nor a package's
// sideEffects takes back.
var withoutWriter = api.Plugin{
	Name: "marked without its writer",
	Setup: func(build api.PluginBuild) {
		build.OnLoad(api.OnLoadOptions{Filter: `/node_modules/marked/lib/marked\.esm\.js$`}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
			source, err := os.ReadFile(args.Path)
			if err != nil {
				return api.OnLoadResult{}, fmt.Errorf("read marked: %w", err)
			}
			contents, err := lexerOf(string(source))
			return api.OnLoadResult{Contents: &contents}, err
		})
	},
}

var (
	// The instance, and the functions that stand for it, to the exports.
	instance = regexp.MustCompile(`var (\w+)=new \w+;function \w+\(\w+,\w+\)\{return \w+\.parse\([^\n]*export\{[^}]*\};`)
	exported = regexp.MustCompile(`([\w$]+) as (Lexer|Tokenizer)[,}]`)
)

// lexerOf gives marked's source with its lexer as its only use. What only the
// instance refers to is then left out by the bundler.
func lexerOf(source string) (string, error) {
	at := instance.FindStringIndex(source)
	if at == nil {
		return "", errors.New("marked is built in another way now; see what build/marked.go cuts off, or leave that file out")
	}
	names := map[string]string{}
	for _, found := range exported.FindAllStringSubmatch(source[at[0]:at[1]], -1) {
		names[found[2]] = found[1]
	}
	if len(names) != 2 {
		return "", errors.New("marked exports no Lexer and Tokenizer any more")
	}
	return source[:at[0]] + fmt.Sprintf("export{%s as Lexer,%s as Tokenizer};\n", names["Lexer"], names["Tokenizer"]), nil
}
