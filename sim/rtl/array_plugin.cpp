// SPDX-License-Identifier: Apache-2.0
#include "sim/rtl/array_plugin.h"

#include <dlfcn.h>

#include <filesystem>

#include "models/error.h"
#include "models/text.h"

namespace bitpulse::rtl {

std::unique_ptr<ArrayModel> load_array(const std::string& library, const ArrayShape& shape) {
  const auto fail = [&library](const std::string& text) {
    return Error(ErrorKind::kInvalidInput, printable(library, 400) + ": " + text);
  };
  // dlopen looks a bare name up along the library path; a file is meant here.
  const std::string path = std::filesystem::absolute(library).string();
  void* const handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw fail(std::string("found no array: ") + printable(dlerror(), 400));
  const auto* const plugin = static_cast<const ArrayPlugin*>(dlsym(handle, "bitpulse_array"));
  if (plugin == nullptr) throw fail("found no symbol bitpulse_array, expected an array's library");
  if (plugin->interface != kArrayInterface) {
    throw fail("found interface " + std::to_string(plugin->interface) + ", expected " +
               std::to_string(kArrayInterface) + "; build it again");
  }
  if (!(plugin->shape == shape)) {
    throw fail("found " + array_model_name(plugin->shape) + ", expected " +
               array_model_name(shape));
  }
  return plugin->make();
}

}  // namespace bitpulse::rtl
