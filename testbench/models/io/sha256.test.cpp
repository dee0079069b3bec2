// SPDX-License-Identifier: Apache-2.0
#include "models/io/sha256.h"

#include "models/error.h"
#include "testbench/catch.h"
#include "testbench/models/temporary_folder.h"

namespace bitpulse {

TEST_CASE("SHA-256 of texts and files equals the published test vectors", "[models][sha256]") {
  const TemporaryFolder folder;
  const auto digest_of = [&](const std::string& content) {
    CHECK(sha256_of_path(folder.write("vector", content)) == sha256_of_text(content));
    return sha256_of_text(content);
  };
  // FIPS 180-2, appendix B.
  CHECK(digest_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(digest_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(digest_of("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(digest_of(std::string(1'000'000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  CHECK_THROWS_AS(sha256_of_path(folder / "missing"), Error);
}

}  // namespace bitpulse
