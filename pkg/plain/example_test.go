package plain_test

import (
	"fmt"

	"github.com/loongclaw/loongclaw/pkg/plain"
)

// What reads as it is stays; what could mislead is shown escaped.
func ExampleLine() {
	fmt.Println(plain.Line("rm notes.md"))
	fmt.Println(plain.Line("rm notes\u200b.md"))
	fmt.Println(plain.Line("rm n\u043etes.md")) // the o is Cyrillic
	// Output:
	// rm notes.md
	// "rm notes\u200b.md"
	// "rm n\u043etes.md"
}

func ExampleCut() {
	fmt.Println(plain.Cut("龙虾", 5))
	// Output:
	// 龙
}
