// SPDX-License-Identifier: Apache-2.0
#include "testbench/schema.h"

#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "models/io/json.h"
#include "models/io/shipped.h"

namespace bitpulse {

struct Schema::Parsed {
  nlohmann::json document;
  valijson::Schema schema;
};

Schema::Schema(const std::string& name) : parsed_(std::make_unique<Parsed>()) {
  parsed_->document = load_json(shipped_folder() + "/schemas/" + name + ".schema.json").raw();
  valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
  parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(parsed_->document),
                        parsed_->schema);
}

Schema::~Schema() = default;

bool Schema::accepts(const nlohmann::json& value) const {
  valijson::Validator validator;
  return validator.validate(parsed_->schema, valijson::adapters::NlohmannJsonAdapter(value),
                            nullptr);
}

const nlohmann::json& Schema::document() const { return parsed_->document; }

}  // namespace bitpulse
